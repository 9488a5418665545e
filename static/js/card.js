/* The card opens without a connection, too; while it fills the screen, the screen stays on. */
"use strict";

const { worker, scope } = document.currentScript.dataset;

// Where the browser keeps nothing, as in a private window, the card opens with a connection alone.
navigator.serviceWorker?.register(worker, { scope }).catch(() => {});

function stayOn() {
  if (document.visibilityState === "visible") navigator.wakeLock?.request("screen").catch(() => {});
}

if (document.documentElement.classList.contains("showing")) {
  stayOn();
  document.addEventListener("visibilitychange", stayOn);
}
