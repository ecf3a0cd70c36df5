/** The page starts here. */
import './styles/index.css';
import { render } from 'preact';
import { startRouter } from './router.js';
import { App } from './shell/app.js';
import { startPreferences } from './state/preferences.js';

const root = document.getElementById('app');
if (root !== null) {
  startRouter();
  await startPreferences();
  render(<App />, root);
}
