"""The practice question in each language."""

PRACTICE = {
    "en": "This is for practice: what do you enjoy doing on a free day?",
    "de": "Dies ist zur Übung: Was machen Sie gern an einem freien Tag?",
    "es": "Esto es para practicar: ¿qué le gusta hacer en un día libre?",
    "fr": "Ceci est un exercice : qu’aimez-vous faire pendant un jour libre ?",
    "it": "Questa è una prova: che cosa le piace fare in un giorno libero?",
    "nl": "Dit is om te oefenen: wat doet u graag op een vrije dag?",
    "pl": "To jest próba: co lubi Pan lub Pani robić w wolny dzień?",
    "pt": "Isto é para praticar: o que gosta de fazer num dia livre?",
    "hi": "यह अभ्यास के लिए है: छुट्टी के दिन आपको क्या करना पसंद है?",
    "ja": "これは練習です。休みの日には何をするのが好きですか。",
    "zh": "这是练习：空闲的日子里，您喜欢做什么？",
}
