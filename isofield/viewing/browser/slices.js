// Second part: slices of the field. One picture serves the panel and the plane in the scene.

function makeSlice(packed, codes) {
  const { counts, limit, low, high } = packed;
  const ramp = rampPixels(packed.ramp);
  const depthOf = (code) => ((code - 2047) / 2047) * limit;
  const strides = [counts[1] * counts[2], counts[2], 1];
  const sceneLow = low.map((value, k) => (value - data.centre[k]) / data.radius);
  const sceneHigh = high.map((value, k) => (value - data.centre[k]) / data.radius);
  const between = (a, b, share) => a + (b - a) * share;
  let values = null, size = [0, 0];
  // square roots of the values: more colour near the surface, where it matters
  const colourPlace = (depth) => 0.5 + 0.5 * Math.sign(depth) * Math.sqrt(Math.min(Math.abs(depth) / limit, 1));

  // The axes of the picture, to the right and up, and whether they run backwards: seen from the positive side of the
  // slice's axis, with the scene's up axis up where it can be.
  function axes() {
    const others = [0, 1, 2].filter((k) => k !== state.axis), up = "xyz".indexOf(state.up);
    const [across, along] = others[0] === up ? [others[1], others[0]] : others;
    const mirrored = across !== (state.axis + 1) % 3;
    return { across, along, flipAcross: mirrored && along === up, flipAlong: mirrored && along !== up };
  }

  function cut() {
    const { across, along, flipAcross, flipAlong } = axes(), longest = 480;
    const place = (state.at / 100) * (counts[state.axis] - 1);
    const first = Math.min(Math.floor(place), counts[state.axis] - 2), share = place - first;
    const [columns, rows] = [counts[across], counts[along]];
    const sheet = new Float32Array(columns * rows);
    for (let v = 0; v < rows; v++) {
      for (let u = 0; u < columns; u++) {
        const at = first * strides[state.axis] + u * strides[across] + v * strides[along];
        sheet[v * columns + u] = depthOf(between(codes[at], codes[at + strides[state.axis]], share));
      }
    }
    const extent = [high[across] - low[across], high[along] - low[along]], most = Math.max(...extent);
    size = extent.map((length) => Math.max(Math.round((longest * length) / most), 2));
    const [width, height] = size;
    values = new Float32Array(width * height);
    const gridPlace = (pixel, pixels, backwards, points) => {
      const share = (pixel + 0.5) / pixels;
      return (backwards ? 1 - share : share) * (points - 1);
    };
    for (let y = 0; y < height; y++) {
      const v = gridPlace(y, height, !flipAlong, rows), v0 = Math.min(Math.floor(v), rows - 2);
      for (let x = 0; x < width; x++) {
        const u = gridPlace(x, width, flipAcross, columns), u0 = Math.min(Math.floor(u), columns - 2);
        const at = v0 * columns + u0;
        const lower = between(sheet[at], sheet[at + 1], u - u0);
        const upper = between(sheet[at + columns], sheet[at + columns + 1], u - u0);
        values[y * width + x] = between(lower, upper, v - v0);
      }
    }
    return paint(width, height);
  }

  // colours, the contour of the surface (dark) and lines of equal value (faint)
  function paint(width, height) {
    const image = new ImageData(width, height), spacing = limit / 8;
    const insides = new Uint8Array(width * height); // 255 inside, 0 outside
    for (let y = 0; y < height; y++) {
      for (let x = 0; x < width; x++) {
        const at = y * width + x, value = values[at];
        const dx = values[x + 1 < width ? at + 1 : at - 1] - value;
        const dy = values[y + 1 < height ? at + width : at - width] - value;
        const slope = Math.hypot(dx, dy) + 1e-12; // per pixel
        const surface = clamp(1.6 - Math.abs(value) / slope, 0, 1);
        const line = Math.abs(value / spacing - Math.round(value / spacing)) * spacing;
        const equal = Math.abs(value) < 0.98 * limit ? 0.16 * clamp(1 - line / slope, 0, 1) : 0;
        const dark = Math.max(surface * 0.95, equal), c = 4 * Math.round(255 * colourPlace(value));
        for (let k = 0; k < 3; k++) image.data[4 * at + k] = ramp[c + k] * (1 - dark) + 22 * dark;
        image.data[4 * at + 3] = 255;
        insides[at] = 255 * clamp(value / slope + 1.6, 0, 1); // the contour's line included
      }
    }
    const { across, along, flipAcross, flipAlong } = axes(), corners = [];
    for (const [u, v] of [[0, 0], [1, 0], [0, 1], [1, 1]]) {
      const corner = [0, 0, 0];
      corner[state.axis] = place();
      corner[across] = between(sceneLow[across], sceneHigh[across], u);
      corner[along] = between(sceneLow[along], sceneHigh[along], v);
      corners.push(...corner, flipAcross ? 1 - u : u, flipAlong ? v : 1 - v);
    }
    return { image, insides, corners: new Float32Array(corners) };
  }

  const place = () => between(sceneLow[state.axis], sceneHigh[state.axis], state.at / 100);
  return {
    cut,
    place,
    coordinate: () => between(low[state.axis], high[state.axis], state.at / 100),
    legend: gradient(ramp, (share) => colourPlace((2 * share - 1) * limit)),
    // shares of the picture's width and height -> how deep inside the solid
    valueAt(right, down) {
      const [width, height] = size;
      const x = clamp(Math.floor(right * width), 0, width - 1), y = clamp(Math.floor(down * height), 0, height - 1);
      return values[y * width + x];
    },
  };
}
