/* <form data-passkey="get" data-options="address">: sending it asks the browser for a passkey first, with options from that
   address, and puts it into the field `credential`. data-passkey="create" makes one. Where the browser has no passkeys,
   the form stays hidden. */
const forms = document.querySelectorAll("form[data-passkey]");
if (window.PublicKeyCredential?.parseRequestOptionsFromJSON) forms.forEach(show);

/** @param {HTMLFormElement} form */
function show(form) {
  form.hidden = false;
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const button = form.querySelector("button");
    button.disabled = true;
    try {
      form.elements.credential.value = JSON.stringify(await shown(form));
      form.submit();
    } catch {
      form.querySelector("[data-passkey-problem]").textContent = form.dataset.failed;
      button.disabled = false;
    }
  });
}

/** @param {HTMLFormElement} form @returns {Promise<object>} what the authenticator said */
async function shown(form) {
  const response = await fetch(form.dataset.options, { headers: { Accept: "application/json" } });
  if (!response.ok || response.redirected) throw new Error(`status ${response.status}`);
  const { publicKey } = await response.json();
  const credential = form.dataset.passkey === "create"
    ? await navigator.credentials.create({ publicKey: PublicKeyCredential.parseCreationOptionsFromJSON(publicKey) })
    : await navigator.credentials.get({ publicKey: PublicKeyCredential.parseRequestOptionsFromJSON(publicKey) });
  return credential.toJSON();
}
