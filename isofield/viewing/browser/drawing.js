// Third part: the camera and the drawing.

const FIELD_OF_VIEW = (28 * Math.PI) / 180;
const FIT = 1 / Math.sin(FIELD_OF_VIEW / 2); // distance at which the unit ball touches the edges of the picture
const CLAY = [0.808, 0.796, 0.772];
const AMBER = [0.93, 0.66, 0.33];
const MODES = { shaded: 0, normals: 1, error: 2, colours: 3, confidence: 2 };

const dot = (a, b) => a[0] * b[0] + a[1] * b[1] + a[2] * b[2];
const mix = (...terms) => [0, 1, 2].map((k) => terms.reduce((sum, [factor, vector]) => sum + factor * vector[k], 0));

function camera(aspect) {
  const [right, above, front] = data.axes[state.up];
  const a = (state.azimuth * Math.PI) / 180, e = (state.elevation * Math.PI) / 180;
  const outward = mix([Math.cos(a), front], [Math.sin(a), right]);
  const towards = mix([Math.cos(e), outward], [Math.sin(e), above]);
  const side = mix([Math.cos(a), right], [-Math.sin(a), front]);
  const upward = mix([Math.cos(e), above], [-Math.sin(e), outward]);
  const distance = FIT / state.zoom;
  const eye = mix([1, state.target], [distance, towards]);
  const rows = [side, upward, towards];
  const view = new Float32Array(16); // column-major
  rows.forEach((row, i) => {
    for (let k = 0; k < 3; k++) view[4 * k + i] = row[k];
    view[12 + i] = -dot(row, eye);
  });
  view[15] = 1;
  const reach = 1 / Math.tan(FIELD_OF_VIEW / 2), near = Math.max(distance - 3.2, 0.02), far = distance + 3.2;
  const projection = new Float32Array(16);
  projection[0] = reach / Math.max(aspect, 1);
  projection[5] = reach * Math.min(aspect, 1);
  projection[10] = -(far + near) / (far - near);
  projection[11] = -1;
  projection[14] = (-2 * far * near) / (far - near);
  return { view, projection, eye, side, upward, towards, distance };
}

const VERTEX = `#version 300 es
layout(location=0) in vec3 position;
layout(location=1) in vec2 normalCode;
layout(location=2) in float scalar;
layout(location=3) in vec3 colour;
uniform mat4 view, projection;
uniform vec3 scale, offset;
uniform float pointSize;
out vec3 scenePoint, viewPoint, sceneNormal, vertexColour;
out float vertexScalar;
void main() {
  scenePoint = position * scale + offset;
  vec4 seen = view * vec4(scenePoint, 1.0);
  viewPoint = seen.xyz;
  vec2 code = normalCode / 511.0;
  vec3 n = vec3(code, 1.0 - abs(code.x) - abs(code.y));
  if (n.z < 0.0) n.xy = (1.0 - abs(n.yx)) * vec2(n.x >= 0.0 ? 1.0 : -1.0, n.y >= 0.0 ? 1.0 : -1.0);
  sceneNormal = n;
  vertexScalar = scalar;
  vertexColour = colour;
  gl_Position = projection * seen;
  gl_PointSize = pointSize / gl_Position.w;
}`;

const FRAGMENT = `#version 300 es
precision highp float;
in vec3 scenePoint, viewPoint, sceneNormal, vertexColour;
in float vertexScalar;
uniform mat4 view;
uniform vec4 cut;       // scene points with dot(cut.xyz, p) > cut.w are left out
uniform int mode;       // 0 shaded, 1 normals, 2 scalars, 3 colours, 4 plain
uniform bool flatShading, round;
uniform float viewerDistance; // of the viewer from what it turns around
uniform vec3 base;
uniform sampler2D ramp;
out vec4 result;
void main() {
  if (dot(cut.xyz, scenePoint) > cut.w) discard;
  if (round && length(gl_PointCoord - 0.5) > 0.5) discard;
  vec3 colour = base;
  if (mode == 2) colour = texture(ramp, vec2(vertexScalar * 255.0 / 256.0 + 0.5 / 256.0, 0.5)).rgb;
  if (mode == 3) colour = vertexColour;
  if (mode == 4) { result = vec4(colour, 1.0); return; } // lines
  if (round) { // points, darker behind
    result = vec4(colour * clamp(0.85 + 0.3 * (viewPoint.z + viewerDistance), 0.45, 1.1), 1.0);
    return;
  }
  vec3 facet = normalize(cross(dFdx(viewPoint), dFdy(viewPoint)));
  vec3 n = flatShading ? facet : normalize(mat3(view) * sceneNormal);
  bool behind = !gl_FrontFacing;
  if (!flatShading && behind) n = -n;
  if (mode == 1) { result = vec4(transpose(mat3(view)) * n * 0.5 + 0.5, 1.0); return; }
  colour = pow(colour, vec3(2.2));
  if (behind) colour *= vec3(0.62, 0.30, 0.20);
  vec3 eye = normalize(-viewPoint);
  float sky = n.y * 0.5 + 0.5;
  vec3 light = mix(vec3(0.15, 0.135, 0.12), vec3(0.36, 0.38, 0.42), sky)
    + 0.68 * max(dot(n, normalize(vec3(-0.48, 0.62, 0.62))), 0.0) + 0.14 * max(n.z, 0.0);
  float gloss = 0.06 * pow(max(dot(n, normalize(eye + vec3(-0.48, 0.62, 0.62))), 0.0), 48.0);
  result = vec4(pow(colour * light + gloss, vec3(1.0 / 2.2)), 1.0);
}`;

const QUAD_VERTEX = `#version 300 es
layout(location=0) in vec3 position;
layout(location=1) in vec2 place;
uniform mat4 view, projection;
out vec2 at;
void main() { at = place; gl_Position = projection * view * vec4(position, 1.0); }`;

const QUAD_FRAGMENT = `#version 300 es
precision highp float;
in vec2 at;
uniform sampler2D picture;   // its alpha: 1 inside, 0 outside
uniform float outside;       // opacity there
out vec4 result;
void main() {
  result = texture(picture, at);
  result.a = mix(outside, 1.0, result.a);
  result.rgb *= result.a;
}`;

function program(gl, vertex, fragment) {
  const made = gl.createProgram();
  for (const [kind, source] of [[gl.VERTEX_SHADER, vertex], [gl.FRAGMENT_SHADER, fragment]]) {
    const shader = gl.createShader(kind);
    gl.shaderSource(shader, source);
    gl.compileShader(shader);
    gl.attachShader(made, shader);
  }
  gl.linkProgram(made);
  if (!gl.getProgramParameter(made, gl.LINK_STATUS) && !gl.isContextLost()) throw new Error(gl.getProgramInfoLog(made));
  // the places of uniforms are looked up when they are first named
  return new Proxy({ made }, { get: (target, name) => (target[name] ??= gl.getUniformLocation(made, name)) });
}

function texture(gl, width, height, pixels, kept) {
  const made = kept ?? gl.createTexture();
  gl.bindTexture(gl.TEXTURE_2D, made);
  gl.texImage2D(gl.TEXTURE_2D, 0, gl.RGBA, width, height, 0, gl.RGBA, gl.UNSIGNED_BYTE, pixels);
  for (const key of ["MIN_FILTER", "MAG_FILTER"]) gl.texParameteri(gl.TEXTURE_2D, gl["TEXTURE_" + key], gl.LINEAR);
  for (const key of ["WRAP_S", "WRAP_T"]) gl.texParameteri(gl.TEXTURE_2D, gl["TEXTURE_" + key], gl.CLAMP_TO_EDGE);
  return made;
}

// scalarMode: the mode that shows the object's scalars; shown: how, data.error or data.confidence.
function upload(gl, object, scalarMode, shown) {
  if (!object) return null;
  const array = gl.createVertexArray();
  gl.bindVertexArray(array);
  const attribute = (place, values, columns, type, normalised) => {
    if (!values) return;
    gl.bindBuffer(gl.ARRAY_BUFFER, gl.createBuffer());
    gl.bufferData(gl.ARRAY_BUFFER, values, gl.STATIC_DRAW);
    gl.enableVertexAttribArray(place);
    gl.vertexAttribPointer(place, columns, type, normalised, 0, 0);
  };
  attribute(0, object.positions, 3, gl.UNSIGNED_SHORT, true);
  attribute(1, object.normals, 2, gl.SHORT, false);
  attribute(2, object.scalars, 1, gl.UNSIGNED_BYTE, true);
  attribute(3, object.colours, 3, gl.UNSIGNED_BYTE, true);
  const indices = gl.createBuffer();
  if (object.faces) {
    gl.bindBuffer(gl.ELEMENT_ARRAY_BUFFER, indices);
    gl.bufferData(gl.ELEMENT_ARRAY_BUFFER, object.faces, gl.STATIC_DRAW);
  }
  const ramp = texture(gl, 256, 1, shown ? rampPixels(shown.ramp) : null);
  return { ...object, array, indices, edges: null, count: object.positions.length / 3, scalarMode, ramp };
}

// Each triangle's three edges, made when they are first asked for.
function edgesOf(gl, object) {
  const { faces } = object;
  const ends = new Uint32Array(2 * faces.length);
  for (let i = 0; i < faces.length; i++) {
    ends[2 * i] = faces[i];
    ends[2 * i + 1] = faces[i % 3 === 2 ? i - 2 : i + 1];
  }
  object.edges = gl.createBuffer();
  gl.bindBuffer(gl.ELEMENT_ARRAY_BUFFER, object.edges);
  gl.bufferData(gl.ELEMENT_ARRAY_BUFFER, ends, gl.STATIC_DRAW);
}

function makeRenderer(objects) {
  const gl = canvas.getContext("webgl2", { antialias: true, alpha: true, premultipliedAlpha: true });
  if (!gl) return null;
  const surface = program(gl, VERTEX, FRAGMENT);
  const quad = program(gl, QUAD_VERTEX, QUAD_FRAGMENT);
  const result = upload(gl, objects.result, "error", data.error);
  const input = upload(gl, objects.input, "confidence", data.confidence);
  const quadArray = gl.createVertexArray();
  const quadBuffer = gl.createBuffer();
  gl.bindVertexArray(quadArray);
  gl.bindBuffer(gl.ARRAY_BUFFER, quadBuffer);
  gl.enableVertexAttribArray(0);
  gl.vertexAttribPointer(0, 3, gl.FLOAT, false, 20, 0);
  gl.enableVertexAttribArray(1);
  gl.vertexAttribPointer(1, 2, gl.FLOAT, false, 20, 12);
  let slicePicture = null;

  function drawObject(object, base, seen, cut) {
    gl.useProgram(surface.made);
    gl.uniformMatrix4fv(surface.view, false, seen.view);
    gl.uniformMatrix4fv(surface.projection, false, seen.projection);
    gl.uniform3fv(surface.scale, object.scale);
    gl.uniform3fv(surface.offset, object.offset);
    gl.uniform4fv(surface.cut, cut);
    gl.uniform3fv(surface.base, base);
    gl.uniform1i(surface.flatShading, state.flat && object.faces ? 1 : 0);
    gl.uniform1i(surface.round, object.faces ? 0 : 1);
    gl.bindTexture(gl.TEXTURE_2D, object.ramp);
    gl.bindVertexArray(object.array);
    const has = { normals: object.normals, colours: object.colours, [object.scalarMode]: object.scalars };
    gl.uniform1i(surface.mode, has[state.mode] ? MODES[state.mode] : 0);
    if (!object.faces) {
      const size = clamp(1.1 / Math.sqrt(object.count), 0.003, 0.03); // share of the picture
      gl.uniform1f(surface.pointSize, size * Math.min(canvas.width, canvas.height) * FIT);
      gl.uniform1f(surface.viewerDistance, seen.distance);
      gl.drawArrays(gl.POINTS, 0, object.count);
      return;
    }
    if (state.wire) gl.enable(gl.POLYGON_OFFSET_FILL);
    gl.polygonOffset(1, 1);
    gl.bindBuffer(gl.ELEMENT_ARRAY_BUFFER, object.indices);
    gl.drawElements(gl.TRIANGLES, object.faces.length, gl.UNSIGNED_INT, 0);
    gl.disable(gl.POLYGON_OFFSET_FILL);
    if (!state.wire) return;
    if (!object.edges) edgesOf(gl, object);
    gl.bindBuffer(gl.ELEMENT_ARRAY_BUFFER, object.edges);
    gl.uniform1i(surface.mode, 4);
    gl.uniform3fv(surface.base, [0.25, 0.25, 0.27]);
    gl.drawElements(gl.LINES, 2 * object.faces.length, gl.UNSIGNED_INT, 0);
  }

  function drawPlane(seen) {
    gl.useProgram(quad.made);
    gl.uniformMatrix4fv(quad.view, false, seen.view);
    gl.uniformMatrix4fv(quad.projection, false, seen.projection);
    gl.uniform1f(quad.outside, state.cut ? 0.22 : 0.86); // what is left of the shape shows through
    gl.bindTexture(gl.TEXTURE_2D, slicePicture);
    gl.bindVertexArray(quadArray);
    gl.enable(gl.BLEND);
    gl.blendFunc(gl.ONE, gl.ONE_MINUS_SRC_ALPHA);
    gl.drawArrays(gl.TRIANGLE_STRIP, 0, 4);
    gl.disable(gl.BLEND);
  }

  function drawPane(left, width, shown) {
    gl.viewport(left, 0, width, canvas.height);
    const seen = camera(width / canvas.height);
    // the half towards the viewer is cut away
    const cut = [0, 0, 0, 1];
    if (slice && state.plane && state.cut) {
      const sign = seen.eye[state.axis] > slice.place() ? 1 : -1;
      cut[state.axis] = sign;
      cut[3] = sign * slice.place();
    }
    for (const [object, base] of shown) drawObject(object, base, seen, cut);
    if (slice && state.plane) drawPlane(seen);
  }

  return {
    setSlice({ image, insides, corners }) {
      const pixels = new Uint8Array(image.data);
      for (let i = 0; i < insides.length; i++) pixels[4 * i + 3] = insides[i];
      slicePicture = texture(gl, image.width, image.height, pixels, slicePicture);
      gl.bindBuffer(gl.ARRAY_BUFFER, quadBuffer);
      gl.bufferData(gl.ARRAY_BUFFER, corners, gl.DYNAMIC_DRAW);
    },
    draw() {
      gl.enable(gl.DEPTH_TEST);
      gl.clearColor(0, 0, 0, 0);
      gl.clear(gl.COLOR_BUFFER_BIT | gl.DEPTH_BUFFER_BIT);
      const { width } = canvas, half = Math.floor(width / 2);
      if (state.show === "both") {
        drawPane(0, half, [[result, CLAY]]);
        drawPane(half, width - half, [[input, CLAY]]);
      } else {
        const inputAlone = [[input, CLAY]], over = [[result, CLAY], [input, AMBER]];
        drawPane(0, width, { result: [[result, CLAY]], input: inputAlone, over }[state.show]);
      }
    },
  };
}
