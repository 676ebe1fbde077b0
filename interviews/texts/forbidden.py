"""What a follow-up question must not ask, in each language in which there are follow-up questions.

The topics are those that an employer may not ask about in the countries of these languages, and the
assessment itself, of which a candidate who gives orders to a computer may want to hear. A word that ends in
`*` stands for all that begin so. The lists are rather too long than too short: a question that is refused
without need costs the candidate nothing.

Sources: Directives 2000/43/EC, 2000/78/EC and 2006/54/EC; Allgemeines Gleichbehandlungsgesetz, § 1; Code du
travail, art. L1132-1; Estatuto de los Trabajadores, art. 4.2 c; U.S. Equal Employment Opportunity Commission,
"Prohibited Employment Policies/Practices".
"""

from collections.abc import Mapping
from typing import Final

FORBIDDEN: Final[Mapping[str, Mapping[str, str]]] = {
    "en": {
        "age": (
            "how old, your age, age, aged, date of birth, birth year, birthday*, year were you born, when "
            "were you born, retire, retirement"
        ),
        "family": (
            "family, families, married, marry, marriage, marital, husband, wife, spouse, partner at home, "
            "boyfriend, girlfriend, divorce*, child, children, kids, childcare, pregnan*, baby, babies, "
            "maternity, paternity, parental, mother, father, parents, son, daughter"
        ),
        "religion": (
            "religio*, faith, church*, mosque*, synagogue*, temple, pray*, god, bible, quran, koran, "
            "christian*, muslim*, jew, jews, jewish, hindu*, buddhis*, atheis*, ramadan, sabbath, "
            "headscarf, hijab"
        ),
        "health": (
            "health, healthy, illness*, ill, sick, sickness, disease*, disab*, diagnos*, doctor, medic*, "
            "therap*, depress*, anxiety, burnout, handicap*, wheelchair, hospital*, surgery, allerg*, "
            "vaccin*, weight, autis*, adhd, dyslexi*"
        ),
        "origin": (
            "nationalit*, citizenship, citizen, ethnic*, your race, racial, skin colour, skin color, "
            "where are you from, where do you come from, come from originally, native language, mother "
            "tongue, native tongue, accent, country of birth, born in, birthplace, immigra*, migra*, "
            "refugee*, asylum, visa, passport, heritage, ancest*"
        ),
        "politics": (
            "politic*, vote, voted, voting, party member*, elections, trade union*, unions, union "
            "member*, works council, on strike"
        ),
        "sexuality": "sexual*, sex, gender*, gay, lesbian, bisexual, trans, transgender, queer, pronouns",
        "pay": (
            "salary, salaries, wage*, earn, earned, how much were you paid, how much do you make, pay "
            "slip, debt*, credit score, financial situation"
        ),
        "record": "arrest*, convict*, criminal*, prison, jail, crime*",
        "assessment": (
            "score*, scoring, full marks, marks, grade*, rating, instruction*, prompt, system message, "
            "language model, as an ai, hire you, hired, you passed, pass this interview"
        ),
    },
    "de": {
        "age": (
            "wie alt, alter, lebensalter, geburtsdatum, geburtsjahr, geburtstag*, geboren, jahrgang, "
            "rente, ruhestand"
        ),
        "family": (
            "familie*, familiär*, verheiratet*, heirat*, ehe, ehemann, ehefrau, ehepartner*, "
            "partnerschaft, lebenspartner*, freundin, geschieden, scheidung, kind, kinder, kindern, "
            "kinderbetreuung, kinderwunsch, schwanger*, baby, babys, mutterschutz, elternzeit, mutter, "
            "vater, eltern, sohn, tochter, ledig"
        ),
        "religion": (
            "religi*, glaube, glauben, gläubig*, kirche*, moschee*, synagoge*, beten, gebet*, gott, "
            "bibel, koran, christ, christen, christlich*, muslim*, islam*, jude, juden, jüdisch*, hindu*, "
            "buddhis*, atheis*, ramadan, kopftuch, konfession*"
        ),
        "health": (
            "gesundheit*, gesund, krank*, erkrank*, behinder*, schwerbehindert*, diagnos*, arzt, ärzt*, "
            "medikament*, medizinisch*, therap*, depress*, angststörung*, burnout, rollstuhl, operation, "
            "allerg*, impfung*, geimpft, gewicht, autis*, adhs, legasthen*"
        ),
        "origin": (
            "nationalität*, staatsangehörigkeit, staatsbürger*, ethni*, rasse, hautfarbe, herkunft, woher "
            "kommen sie, woher stammen sie, kommen sie ursprünglich, stammen sie ursprünglich, "
            "muttersprache, akzent, geburtsland, geburtsort, migra*, einwander*, zuwander*, flüchtling*, "
            "geflüchtet*, asyl*, visum, reisepass, aufenthaltstitel, abstammung, heimatland, heimat"
        ),
        "politics": (
            "politisch*, politik, partei, parteien, parteimitglied*, wählen sie, gewählt, wahlen, "
            "gewerkschaft*, betriebsrat, betriebsräte, streik*"
        ),
        "sexuality": (
            "sexuell*, sexualität, geschlecht*, schwul, lesbisch, bisexuell, trans, queer, pronomen"
        ),
        "pay": (
            "gehalt, gehälter, gehalts*, lohn, löhne, verdienst, verdienten, verdient, verdienen, "
            "schulden, schufa, vermögen*"
        ),
        "record": "vorstrafe*, vorbestraft, verhaftet, verurteilt, gefängnis, straftat*, kriminell*",
        "assessment": (
            "punktzahl, ihre bewertung, benot*, note, noten, volle punkt*, anweisung*, prompt, "
            "systemnachricht, sprachmodell, eingestellt werden, sie sind eingestellt, bestanden"
        ),
    },
    "es": {
        "age": (
            "qué edad, su edad, tu edad, edad, cuántos años, fecha de nacimiento, cumpleaños, nació "
            "usted, naciste, nacido, nacida, jubil*"
        ),
        "family": (
            "familia, familias, familiar, familiares, casado, casada, casarse, matrimonio, marido, mujer, "
            "esposo, esposa, cónyuge, novio, novia, divorci*, hijo, hija, hijos, hijas, niño, niña, "
            "niños, embaraz*, bebé*, maternidad, paternidad, madre, padre, padres, soltero, soltera, "
            "estado civil"
        ),
        "religion": (
            "religi*, fe, iglesia*, mezquita*, sinagoga*, rezar, reza, oración, dios, biblia, corán, "
            "cristian*, católic*, musulm*, islam*, judío*, judía*, hind*, budis*, ateo, atea, ramadán, "
            "velo, creencia*"
        ),
        "health": (
            "salud, enferm*, discapaci*, minusval*, diagnós*, diagnostic*, médic*, medicament*, "
            "medicación, terap*, depres*, ansiedad, burnout, hospital*, cirugía, operación quirúrgica, "
            "alerg*, alérg*, vacun*, peso, autis*, tdah, dislexi*, silla de ruedas"
        ),
        "origin": (
            "nacionalidad*, ciudadanía, ciudadano, ciudadana, étnic*, etnia, su raza, color de piel, de "
            "dónde es, de dónde eres, de dónde viene, lengua materna, idioma materno, acento, país de "
            "origen, lugar de nacimiento, su origen, orígenes, inmigra*, migra*, refugiad*, asilo, "
            "visado, pasaporte, ascendencia"
        ),
        "politics": (
            "polític*, partido político, partidos, votar, votó, votaste, vota, elecciones, sindica*, "
            "huelga*, comité de empresa"
        ),
        "sexuality": (
            "sexual*, sexo, su género, identidad de género, gay, lesbiana, bisexual, trans, queer, pronombres"
        ),
        "pay": "salario*, sueldo*, cuánto gana, cuánto ganaba, ganaba, nómina, deuda*, situación económica",
        "record": "antecedentes, arrest*, detenid*, condenad*, cárcel, prisión, delito*, delincuen*",
        "assessment": (
            "puntuación, puntaje, calificación, califica*, nota, notas, instrucci*, prompt, modelo de "
            "lenguaje, mensaje del sistema, contratad*, aprobad*, aprobó"
        ),
    },
    "fr": {
        "age": (
            "quel âge, votre âge, ton âge, âge, date de naissance, anniversaire*, êtes né, êtes née, "
            "année de naissance, retraite"
        ),
        "family": (
            "famille*, familial, familiale, familiaux, marié, mariée, mariage, mari, épouse, époux, "
            "femme, conjoint*, petit ami, petite amie, compagne, divorc*, enfant, enfants, enceinte, "
            "grossesse*, bébé*, maternité, paternité, parental*, mère, père, parents, fils, fille, "
            "filles, célibataire*, situation matrimoniale"
        ),
        "religion": (
            "religi*, foi, église*, mosquée*, synagogue*, prier, priez, prière*, dieu, bible, coran, "
            "chrétien*, catholique*, musulman*, islam*, juif*, juive*, hindou*, bouddhis*, athée*, "
            "ramadan, voile, croyance*, croyant*"
        ),
        "health": (
            "santé, malad*, handicap*, invalid*, diagnost*, médecin*, médic*, thérap*, dépress*, "
            "dépression, anxiété, burnout, hôpital, hôpitaux, hospital*, chirurg*, allerg*, vaccin*, "
            "poids, autis*, tdah, dyslexi*, fauteuil roulant"
        ),
        "origin": (
            "nationalité*, citoyenneté, citoyen, citoyenne, ethni*, votre race, couleur de peau, d'où "
            "venez, d'où viens, langue maternelle, accent, pays d'origine, votre origine, origines, lieu "
            "de naissance, immigr*, migra*, réfugié*, asile, visa, passeport, ascendance"
        ),
        "politics": (
            "politique*, parti politique, partis, voter, voté, votez, élections, syndic*, grève*, comité "
            "d'entreprise"
        ),
        "sexuality": (
            "sexuel*, sexualité, sexe, votre genre, identité de genre, gay, lesbienne, bisexuel*, trans, "
            "queer, pronoms"
        ),
        "pay": (
            "salaire*, rémunération*, combien gagn*, gagniez, gagnez, fiche de paie, dette*, situation "
            "financière"
        ),
        "record": (
            "casier judiciaire, arrêté par, arrestation*, condamn*, prison, délit*, crime*, criminel*"
        ),
        "assessment": (
            "score*, nombre de points, notation, barème, instruction*, prompt, modèle de langage, message "
            "système, embauché*, réussi cet entretien, évaluation*"
        ),
    },
}
"""By language and topic: words and phrases, separated by commas."""

NAMES: Final[Mapping[str, str]] = {"en": "English", "de": "German", "es": "Spanish", "fr": "French"}
"""As the language model is told them."""

COMMON_WORDS: Final[Mapping[str, str]] = {
    "en": "the a an of to in and you your what how did do does was were which that with it for on",
    "de": (
        "der die das den dem ein eine einen sie ihr ihre ihrer ihren wie was welche welchen haben hat "
        "und in zu mit für bei von auf an am im es dabei"
    ),
    "es": (
        "el la los las un una de que qué en y a su sus cómo cuál cuáles le lo con para por se fue ha del al"
    ),
    "fr": (
        "le la les un une des de du que quel quelle quels quelles en et à a on vous votre vos comment "
        "avez était est ce cette avec pour par dans l d qu"
    ),
}
"""Words that most questions hold: by them it is told in which of these languages a question is."""

TO_ASSESSOR: Final[Mapping[str, str]] = {
    "en": (
        "ignore your, ignore all previous, ignore previous instructions, ignore the instructions, ignore all "
        "instructions, disregard your, disregard all previous, disregard the instructions, forget your "
        "instructions, give me full, full marks, give me top, give me the highest, give me the best, give me "
        "a five, highest possible score, rate me, score me, grade me"
    ),
    "de": (
        "ignoriere deine, ignoriere alle, ignorieren sie ihre, ignorieren sie alle, vergiss deine, vergessen "
        "sie ihre anweisungen, volle punktzahl, gib mir die volle, gib mir die beste, gib mir die höchste, "
        "geben sie mir die volle, geben sie mir die beste, geben sie mir die höchste, bewerte mich, bewerten "
        "sie mich"
    ),
    "es": (
        "ignora tus, ignore sus, ignora todas, ignore todas, olvida tus, olvide sus, dame la puntuación, "
        "deme la puntuación, dame la nota, deme la nota, dame la máxima, deme la máxima, puntúame, "
        "califícame, evalúame"
    ),
    "fr": (
        "ignore tes, ignorez vos, ignore toutes, ignorez toutes, oublie tes, oubliez vos, donne moi la note, "
        "donnez moi la note, donne moi la meilleure, donnez moi la meilleure, donne moi la notation, donnez "
        "moi la notation, note moi, notez moi"
    ),
}
"""Phrases that speak to whoever assesses. The smallest part of the defence: `brain/draft_evaluation.py`."""
