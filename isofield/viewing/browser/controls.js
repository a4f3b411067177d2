// Fourth part: what is shown, and everything that changes it: controls, keys, pointer, the page's address.

const root = document.documentElement;
const $ = (id) => document.getElementById(id);
const canvas = $("view");
const controls = $("controls");

// What is shown. The controls, the keys and the address (#mode=error&slice=x:40) write here, then ask for a drawing.
const start = { mode: data.mode, show: "result", flat: false, wire: false, plane: false, cut: false, at: 50, up: data.up,
  axis: data.axes[data.up][2].findIndex(Boolean), azimuth: 35, elevation: 18, zoom: 1, target: [0, 0, 0] };
const state = { ...start };

let renderer = null, slice = null, asked = false, sliceKey = "";
const shortNumber = (value) => (value === 0 ? "0" : String(Number(value.toPrecision(4)))).replace("-", "−");

function ask() {
  if (asked) return;
  asked = true;
  requestAnimationFrame(() => { asked = false; update(); });
}

function update() {
  const ratio = Math.min(window.devicePixelRatio || 1, 2.5);
  const width = Math.max(Math.round(canvas.clientWidth * ratio), 1);
  const height = Math.max(Math.round(canvas.clientHeight * ratio), 1);
  if (canvas.width !== width || canvas.height !== height) Object.assign(canvas, { width, height });
  const key = [state.axis, state.at, state.up].join();
  if (slice && key !== sliceKey) {
    sliceKey = key;
    const made = slice.cut(), picture = $("slice");
    Object.assign(picture, { width: made.image.width, height: made.image.height });
    picture.getContext("2d").putImageData(made.image, 0, 0);
    renderer?.setSlice(made);
    $("place").textContent = `${"xyz"[state.axis]} = ${shortNumber(slice.coordinate())}`;
  }
  renderer?.draw();
  if (renderer) root.dataset.ready = "1"; // for the style and for tests: there is something to see
}

function showState() {
  for (const input of controls.elements) {
    if (input.type === "radio") input.checked = String(state[input.name]) === input.value;
    if (input.type === "checkbox") input.checked = state[input.name];
    if (input.type === "range") input.value = state.at;
  }
  $("error-legend").hidden = state.mode !== "error" || state.show === "input";
  $("confidence-legend").hidden = state.mode !== "confidence" || state.show === "result";
  $("panes").hidden = state.show !== "both";
  $("over").hidden = state.show !== "over" || state.mode === "confidence";
  if (slice) $("cut").disabled = !state.plane;
  ask();
}

let writing = 0;
function change(changes) {
  Object.assign(state, changes);
  if (changes.mode === "confidence" && state.show === "result") state.show = "input"; // the points have it
  showState();
  clearTimeout(writing);
  writing = setTimeout(writeAddress, 250);
}

function writeAddress() {
  const words = [];
  if (state.mode !== start.mode) words.push(`mode=${state.mode}`);
  if (state.show !== start.show) words.push(`show=${state.show}`);
  if (state.up !== start.up) words.push(`up=${state.up}`);
  if (state.plane) words.push(`slice=${"xyz"[state.axis]}:${state.at}`);
  for (const key of ["cut", "flat", "wire"]) if (state[key]) words.push(`${key}=1`);
  const view = ({ azimuth, elevation, zoom, target }) =>
    [azimuth, elevation, zoom, ...target].map((number) => +number.toFixed(3));
  if (view(state).join() !== view(start).join()) words.push(`view=${view(state)}`);
  try {
    history.replaceState(null, "", words.length ? "#" + words.join("&") : location.pathname + location.search);
  } catch { /* some browsers do not allow it for files */ }
}

function readAddress() {
  const words = new URLSearchParams(location.hash.slice(1));
  const one = (key, allowed) => (allowed.includes(words.get(key)) ? words.get(key) : start[key]);
  Object.assign(state, start, {
    mode: one("mode", choices("mode")), show: one("show", choices("show")), up: one("up", choices("up")),
    cut: words.get("cut") === "1", flat: words.get("flat") === "1", wire: words.get("wire") === "1",
  });
  const [, axis, at] = /^([xyz]):(\d+(?:\.\d+)?)$/.exec(words.get("slice")) ?? [];
  if (axis && slice) Object.assign(state, { plane: true, axis: "xyz".indexOf(axis), at: Math.min(at, 100) });
  const view = (words.get("view") ?? "").split(",").map(Number);
  if (view.length === 6 && view.every(Number.isFinite)) {
    const [azimuth, elevation, zoom, ...target] = view;
    Object.assign(state, { azimuth, elevation: clamp(elevation, -89, 89), zoom: clamp(zoom, 0.2, 40), target });
  }
  showState();
}

const choices = (name) => [...document.querySelectorAll(`input[name=${name}]`)].map((input) => input.value);
const next = (name) => choices(name)[(choices(name).indexOf(state[name]) + 1) % choices(name).length];
const turn = (azimuth, elevation) =>
  change({ azimuth: (state.azimuth + azimuth) % 360, elevation: clamp(state.elevation + elevation, -89, 89) });
const zoom = (factor) => change({ zoom: clamp(state.zoom * factor, 0.2, 40) });

function pan(dx, dy) {
  const seen = camera(1);
  const unit = (2 * seen.distance * Math.tan(FIELD_OF_VIEW / 2)) / Math.min(canvas.clientWidth, canvas.clientHeight);
  change({ target: mix([1, state.target], [-dx * unit, seen.side], [dy * unit, seen.upward]) });
}

function savePicture() {
  update(); // the picture is only there until the browser has shown it
  canvas.toBlob((blob) => {
    const link = document.createElement("a");
    link.href = URL.createObjectURL(blob);
    link.download = "isofield.png";
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 1000);
  });
}

const mode = (name) => choices("mode").includes(name) && change({ mode: name });
const cutting = (changes) => slice && change(changes);
const KEYS = {
  1: () => mode("shaded"),
  2: () => mode("normals"),
  3: () => mode("error"),
  4: () => mode("colours"),
  5: () => mode("confidence"),
  f: () => change({ flat: !state.flat }),
  w: () => change({ wire: !state.wire }),
  i: () => data.input && change({ show: next("show") }),
  s: () => cutting({ plane: !state.plane }),
  c: () => cutting({ plane: true, cut: !(state.plane && state.cut) }),
  x: () => cutting({ axis: 0 }),
  y: () => cutting({ axis: 1 }),
  z: () => cutting({ axis: 2 }),
  "[": () => cutting({ at: Math.max(state.at - 1, 0) }),
  "]": () => cutting({ at: Math.min(state.at + 1, 100) }),
  u: () => change({ up: next("up") }),
  p: savePicture,
  "+": () => zoom(1.15),
  "=": () => zoom(1.15),
  "-": () => zoom(1 / 1.15),
  0: () => change({ azimuth: start.azimuth, elevation: start.elevation, zoom: start.zoom, target: start.target }),
  "?": () => $("help").showModal(),
};
const CANVAS_KEYS = {
  ArrowLeft: () => turn(-5, 0),
  ArrowRight: () => turn(5, 0),
  ArrowUp: () => turn(0, 5),
  ArrowDown: () => turn(0, -5),
};

function listen() {
  controls.addEventListener("submit", (event) => event.preventDefault());
  controls.addEventListener("input", ({ target }) => {
    if (target.type === "checkbox") change({ [target.name]: target.checked });
    else change({ [target.name]: ["axis", "at"].includes(target.name) ? Number(target.value) : target.value });
  });
  $("reset").addEventListener("click", KEYS[0]);
  $("save").addEventListener("click", savePicture);
  $("keys").addEventListener("click", KEYS["?"]);
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || $("help").open) return;
    const act = KEYS[event.key] ?? (event.target === canvas ? CANVAS_KEYS[event.key] : null);
    if (act) { event.preventDefault(); act(); }
  });

  const fingers = new Map();
  canvas.addEventListener("pointerdown", (event) => {
    canvas.setPointerCapture(event.pointerId);
    fingers.set(event.pointerId, [event.clientX, event.clientY]);
  });
  for (const name of ["pointerup", "pointercancel"]) {
    canvas.addEventListener(name, (event) => fingers.delete(event.pointerId));
  }
  canvas.addEventListener("pointermove", (event) => {
    const before = fingers.get(event.pointerId);
    if (!before) return;
    const now = [event.clientX, event.clientY], dx = now[0] - before[0], dy = now[1] - before[1];
    if (fingers.size === 2) { // two fingers: their middle moves the target, their distance the zoom
      const [other] = [...fingers].filter(([id]) => id !== event.pointerId).map(([, at]) => at);
      const spread = (at) => Math.hypot(at[0] - other[0], at[1] - other[1]);
      pan(dx / 2, dy / 2);
      zoom(spread(now) / Math.max(spread(before), 1));
    } else if (event.shiftKey || event.buttons & 6) pan(dx, dy);
    else turn(-0.4 * dx, 0.4 * dy);
    fingers.set(event.pointerId, now);
  });
  canvas.addEventListener("contextmenu", (event) => event.preventDefault());
  canvas.addEventListener("wheel", (event) => {
    event.preventDefault();
    zoom(Math.exp(-clamp(event.deltaY * (event.deltaMode ? 16 : 1), -200, 200) * (event.ctrlKey ? 0.008 : 0.0015)));
  }, { passive: false });
  canvas.addEventListener("dblclick", KEYS[0]);

  if (slice) listenSlice();
  new ResizeObserver(ask).observe(canvas);
  window.addEventListener("resize", ask); // the pixel ratio changes with the browser's zoom
  window.addEventListener("hashchange", readAddress);
}

function listenSlice() {
  const picture = $("slice"), reading = $("value");
  picture.addEventListener("pointermove", (event) => {
    const box = picture.getBoundingClientRect();
    const depth = slice.valueAt((event.clientX - box.left) / box.width, (event.clientY - box.top) / box.height);
    const value = data.slices.level + data.slices.sign * depth;
    reading.textContent = `${shortNumber(value)} ${data.slices.unit} ${depth > 0 ? "inside" : "outside"}`;
  });
  picture.addEventListener("pointerleave", () => { reading.textContent = ""; });
}

function listenCopy() {
  $("copy").addEventListener("click", async () => {
    try {
      await navigator.clipboard.writeText($("command").textContent);
      $("copy").textContent = "Copied";
    } catch { // not allowed for a file in some browsers: select it, ready for the keyboard
      getSelection().selectAllChildren($("command"));
      $("copy").textContent = "Selected";
    }
    setTimeout(() => { $("copy").textContent = "Copy"; }, 1500);
  });
}

function excuse(reason) {
  root.dataset.still = "1";
  $("excuse").textContent = `${reason} This is a still picture; all else is complete.`;
}

async function main() {
  listenCopy();
  if (!("DecompressionStream" in window)) return excuse("The interactive view needs a browser of 2023 or later.");
  const objects = { result: await unpackObject(data.result), input: await unpackObject(data.input) };
  if (data.slices) slice = makeSlice(data.slices, await unpack(data.slices.values));
  renderer = makeRenderer(objects);
  if (!renderer) excuse("The interactive view needs WebGL 2, which this browser does not offer."); // slices still work
  if (slice) $("slice-legend").style.background = slice.legend;
  if (data.error) $("error-ramp").style.background = gradient(rampPixels(data.error.ramp), (share) => share);
  if (data.confidence) $("confidence-ramp").style.background = gradient(rampPixels(data.confidence.ramp), (share) => share);
  start.zoom = closest(objects.result);
  canvas.addEventListener("webglcontextlost", (event) => { event.preventDefault(); renderer = null; });
  canvas.addEventListener("webglcontextrestored", () => {
    renderer = makeRenderer(objects);
    sliceKey = "";
    ask();
  });
  listen();
  readAddress();
}

// The zoom at which the mesh fills the first view: from each point follows how far away the viewer must be.
function closest({ positions, scale, offset }) {
  const { side, upward, towards } = camera(1);
  const aspect = canvas.clientWidth / canvas.clientHeight;
  const tangent = 0.95 * Math.tan(FIELD_OF_VIEW / 2);
  const wide = tangent * Math.max(aspect, 1), high = tangent * Math.max(1 / aspect, 1);
  let distance = 1e-6;
  for (let i = 0; i < positions.length; i += 3) {
    const point = [0, 1, 2].map((k) => (positions[i + k] / 65535) * scale[k] + offset[k]);
    const reach = Math.max(Math.abs(dot(point, side)) / wide, Math.abs(dot(point, upward)) / high);
    distance = Math.max(distance, reach + dot(point, towards));
  }
  return clamp(FIT / distance, 0.5, 6);
}

main();
