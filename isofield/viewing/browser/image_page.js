// The line between input and reconstruction follows the slider and the pointer; the command can be copied.
const wipe = document.getElementById("wipe");
const at = document.getElementById("at");

function move() {
  wipe.style.setProperty("--at", `${at.value}%`);
}

function follow(event) {
  const box = wipe.getBoundingClientRect();
  at.value = (100 * (event.clientX - box.left)) / box.width;
  move();
}

at.addEventListener("input", move);
wipe.addEventListener("pointerdown", (event) => {
  wipe.setPointerCapture(event.pointerId);
  follow(event);
});
wipe.addEventListener("pointermove", (event) => {
  if (event.buttons) follow(event);
});

const copy = document.getElementById("copy");
copy.addEventListener("click", async () => {
  await navigator.clipboard.writeText(document.getElementById("command").textContent);
  copy.textContent = "Copied";
});
document.documentElement.dataset.ready = "1";
