/** Logs in with a token, or with the account of the company. */
import { KeyRound } from 'lucide-preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import type { ApiProblem } from '../../api/problem.js';
import { TextField } from '../../forms/field.js';
import { useForm } from '../../forms/use-form.js';
import { texts } from '../../i18n/index.js';
import { keepPlace } from '../../router.js';
import { type LoginWays, logIn, readLoginWays } from '../../state/session.js';
import { Banner } from '../../ui/banner.js';
import { Button, LinkButton } from '../../ui/button.js';
import { problemText } from '../../ui/states.js';

export function loginProblemText(problem: ApiProblem): string {
  const known: Readonly<Record<string, string>> = texts.value.login.problems;
  return known[problem.code] ?? problemText(problem);
}

export function LoginForm() {
  const { login } = texts.value;
  const root = useRef<HTMLFormElement>(null);
  const [ways, setWays] = useState<LoginWays | undefined>(undefined);
  const form = useForm({
    initial: { token: '' },
    check: ({ token }) => (token.trim() === '' ? { token: login.tokenMissing } : {}),
    save: ({ token }) => logIn({ token: token.trim() }),
  });
  useEffect(() => {
    root.current?.querySelector('input')?.focus();
    // Without an answer, the login by token says what is wrong.
    readLoginWays().then(setWays, () => undefined);
  }, []);
  const submit = (event: Event): void => {
    event.preventDefault();
    void form.submit();
  };
  if (ways?.refused) return <Banner tone="bad">{login.problems['login-insecure']}</Banner>;
  return (
    <form ref={root} class="stack" noValidate onSubmit={submit}>
      <TextField
        form={form}
        name="token"
        label={login.token}
        help={login.tokenHelp}
        input={{ type: 'password', spellcheck: false }}
      />
      {form.problem && (
        <Banner tone="bad" alert>
          {loginProblemText(form.problem)}
        </Banner>
      )}
      <Button type="submit" kind="primary" icon={KeyRound} busy={form.busy}>
        {login.submit}
      </Button>
      {ways?.oidc && (
        <LinkButton href={ways.oidc.url} onClick={keepPlace}>
          {login.withOidc}
        </LinkButton>
      )}
    </form>
  );
}
