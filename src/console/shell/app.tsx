/** The whole page: the login, or the page of the address inside the shell. */
import { useEffect, useState } from 'preact/hooks';
import { type ApiProblem, problemIn } from '../api/problem.js';
import { LoginPage } from '../pages/login/login-page.js';
import { ReloginDialog } from '../pages/login/relogin-dialog.js';
import { loginAsked } from '../state/login.js';
import { readSession, session } from '../state/session.js';
import { ErrorState } from '../ui/states.js';
import { Toasts } from '../ui/toasts.js';
import { Routes } from './routes.js';

export function App() {
  const [problem, setProblem] = useState<ApiProblem | undefined>(undefined);
  const start = (): void => {
    setProblem(undefined);
    readSession().catch((error: unknown) => setProblem(problemIn(error)));
  };
  useEffect(start, []);
  if (problem !== undefined) return <ErrorState problem={problem} retry={start} page />;
  if (session.value === undefined) return null;
  if (session.value === null) return <LoginPage />;
  return (
    <>
      <Routes />
      {loginAsked.value && <ReloginDialog />}
      <Toasts />
    </>
  );
}
