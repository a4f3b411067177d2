// The viewer of a run's page, first part: the arrays. Plain WebGL 2, no other code, no requests. The parts are joined
// into one module in the order arrays, slices, drawing, controls.
// Coordinates: the arrays are whole numbers in their own boxes; "scene" is the ball of radius 1 around the mesh.

const data = JSON.parse(document.getElementById("data").textContent);
const clamp = (value, low, high) => Math.min(Math.max(value, low), high);

function bytesOf(text) {
  const raw = atob(text);
  const bytes = new Uint8Array(raw.length);
  for (let i = 0; i < raw.length; i++) bytes[i] = raw.charCodeAt(i);
  return bytes;
}

// The inverse of `pack` in packing.py: byte planes, zigzag, differences down the columns.
async function unpack({ count, columns, order, bytes, text }) {
  const stream = new Blob([bytesOf(text)]).stream().pipeThrough(new DecompressionStream("deflate"));
  const planes = new Uint8Array(await new Response(stream).arrayBuffer());
  const numbers = new Int32Array(count * columns);
  const size = count * columns;
  for (let column = 0; column < columns; column++) {
    for (let row = 0; row < count; row++) {
      let number = 0;
      for (let byte = bytes - 1; byte >= 0; byte--) number = number * 256 + planes[byte * size + column * count + row];
      numbers[row * columns + column] = order ? (number >>> 1) ^ -(number & 1) : number;
    }
    for (let turn = 0; turn < order; turn++) {
      for (let at = column + columns; at < size; at += columns) numbers[at] += numbers[at - columns];
    }
  }
  return numbers;
}

// A face's index is written as its distance from the number of vertices seen so far.
function indicesOf(codes) {
  const indices = new Uint32Array(codes.length);
  let seen = 0;
  for (let i = 0; i < codes.length; i++) {
    indices[i] = seen - codes[i];
    if (codes[i] === 0) seen++;
  }
  return indices;
}

async function unpackObject(packed) {
  if (!packed) return null;
  const numbers = {};
  for (const key of ["positions", "faces", "normals", "scalars", "colours"]) {
    if (packed[key]) numbers[key] = await unpack(packed[key]);
  }
  return {
    positions: Uint16Array.from(numbers.positions),
    normals: numbers.normals && Int16Array.from(numbers.normals),
    scalars: numbers.scalars && Uint8Array.from(numbers.scalars),
    colours: numbers.colours && Uint8Array.from(numbers.colours),
    faces: numbers.faces && indicesOf(numbers.faces),
    scale: packed.low.map((low, k) => (packed.high[k] - low) / data.radius),
    offset: packed.low.map((low, k) => (low - data.centre[k]) / data.radius),
  };
}

function rampPixels(text) {
  const bytes = bytesOf(text), pixels = new Uint8Array(1024).fill(255);
  for (let i = 0; i < 256; i++) pixels.set(bytes.subarray(3 * i, 3 * i + 3), 4 * i);
  return pixels;
}

function gradient(ramp, positionOf) {
  const stops = [];
  for (let i = 0; i <= 32; i++) {
    const c = 4 * Math.round(255 * positionOf(i / 32));
    stops.push(`rgb(${ramp[c]},${ramp[c + 1]},${ramp[c + 2]})`);
  }
  return `linear-gradient(to right, ${stops.join(",")})`;
}
