/* The browser's menu prints as well; where scripts run, a button does. */
"use strict";

const printing = document.getElementById("print");

printing.hidden = false;
printing.addEventListener("click", () => window.print());
