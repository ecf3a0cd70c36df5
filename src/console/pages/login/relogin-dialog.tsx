/** Over the page, when the session has ended: the page below keeps what was typed. */
import { useEffect, useRef } from 'preact/hooks';
import { texts } from '../../i18n/index.js';
import { logOut, session } from '../../state/session.js';
import { Button } from '../../ui/button.js';
import { LoginForm } from './login-form.js';

export function ReloginDialog() {
  const dialog = useRef<HTMLDialogElement>(null);
  useEffect(() => dialog.current?.showModal(), []);
  const { relogin } = texts.value.login;
  return (
    <dialog ref={dialog} class="dialog" aria-labelledby="relogin-title" closedby="none">
      <div class="dialog-head">
        <h2 id="relogin-title">{relogin.title}</h2>
      </div>
      <div class="dialog-body">
        <p>{relogin.text(session.value?.who ?? '')}</p>
        <LoginForm />
      </div>
      <div class="dialog-foot">
        <Button kind="plain" onClick={() => void logOut()}>
          {relogin.other}
        </Button>
      </div>
    </dialog>
  );
}
