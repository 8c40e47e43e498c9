// Runs before anything is painted: the chosen theme, should the device's be another. Whatever comes later is main.tsx's.
try {
  const { theme } = JSON.parse(localStorage.getItem('homing:preferences') ?? '{}');
  if (theme === 'light' || theme === 'dark') document.documentElement.dataset.theme = theme;
} catch {
  // A browser that keeps nothing, or a value of another version.
}
