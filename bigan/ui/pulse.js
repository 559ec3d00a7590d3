// Asks for the next part of a long piece of work as soon as one has arrived. pulse.py says why.

function draw({ data, parentElement, setTriggerValue }) {
  if (parentElement.pulse === data.step) return;
  parentElement.pulse = data.step;
  setTriggerValue("next", data.step);
}
