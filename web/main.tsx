// The page: nothing of it needs another server than the one that sent it.
import './styles/tokens.css';
import './styles/base.css';
import './styles/shell.css';
import './styles/conversation.css';
import './styles/markdown.css';
import './styles/composer.css';
import './styles/dialogs.css';
import { render } from 'preact';
import { App } from './app/app.tsx';

const place = document.getElementById('page');
if (place !== null) render(<App />, place);
