/* The link can be selected and copied by hand; this spares the hand. */
"use strict";

const link = document.getElementById("link");
const copy = document.getElementById("copy");
const share = document.getElementById("share");
const said = document.getElementById("copied");

link.addEventListener("focus", () => link.select());

copy.hidden = false;
copy.addEventListener("click", async () => {
  said.textContent = "";
  try {
    await navigator.clipboard.writeText(link.value);
  } catch {
    // Without a secure connection there is no clipboard, but the old way.
    link.select();
    if (!document.execCommand("copy")) return;
    copy.focus();
  }
  said.textContent = copy.dataset.done;
});

if (navigator.share) {
  share.hidden = false;
  share.addEventListener("click", () => {
    // Whoever closes the list of apps has changed their mind: that is no error.
    navigator.share({ text: share.dataset.text, url: link.value }).catch(() => {});
  });
}
