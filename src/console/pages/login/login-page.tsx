/** The first page of someone who is not logged in. A one-time code in the fragment of the address logs in by itself. */
import { useEffect, useState } from 'preact/hooks';
import { ApiProblem, problemIn } from '../../api/problem.js';
import { texts } from '../../i18n/index.js';
import icon from '../../icon.svg';
import { logIn } from '../../state/session.js';
import { Banner } from '../../ui/banner.js';
import { LoginForm, loginProblemText } from './login-form.js';

/** The code of the address, which is removed from it at once. */
function takeCode(): string | undefined {
  const code = new URLSearchParams(window.location.hash.slice(1)).get('code') ?? undefined;
  if (code !== undefined) history.replaceState(null, '', window.location.pathname + window.location.search);
  return code;
}

/** Why a login with the company account failed: the code in the address, which is removed from it at once. */
function takeProblem(): ApiProblem | undefined {
  const url = new URL(window.location.href);
  const code = url.searchParams.get('login');
  if (code === null) return undefined;
  url.searchParams.delete('login');
  history.replaceState(null, '', url.pathname + url.search + url.hash);
  return new ApiProblem(401, { code: `oidc-${code}` });
}

export function LoginPage() {
  const { login, common } = texts.value;
  const [code] = useState(takeCode);
  const [problem, setProblem] = useState(takeProblem);
  useEffect(() => {
    document.title = `${login.title} · quotagate`;
    if (code !== undefined) logIn({ code }).catch((error: unknown) => setProblem(problemIn(error)));
  }, [code, login]);
  const isWaiting = code !== undefined && problem === undefined;
  return (
    <main class="login">
      <div class="login-card">
        <div>
          <div class="brand">
            <img src={icon} alt="" />
            quotagate
          </div>
          <p class="muted">{login.about}</p>
        </div>
        <h1>{login.title}</h1>
        {problem && (
          <Banner tone="bad" alert>
            {loginProblemText(problem)}
          </Banner>
        )}
        {isWaiting ? <p role="status">{common.loading}</p> : <LoginForm />}
      </div>
    </main>
  );
}
