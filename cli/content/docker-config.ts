/**
 * What `docker login` left for a registry in its config.json: "user:password" in base64. Undefined:
 * nothing, or it is kept by a helper program, which is never run.
 */
export function dockerCredentials(text: string | undefined, registry: string): string | undefined {
  if (text === undefined) return undefined;
  let config: unknown;
  try {
    config = JSON.parse(text);
  } catch (cause) {
    throw new Error("Docker's config.json is no JSON; mend or remove it", { cause });
  }
  const { auths } = (config ?? {}) as { readonly auths?: Readonly<Record<string, unknown>> };
  const names = registry === 'docker.io' ? ['https://index.docker.io/v1/', registry] : [registry];
  for (const name of [...names, `https://${registry}`]) {
    const { auth } = (auths?.[name] ?? {}) as { readonly auth?: unknown };
    if (typeof auth === 'string' && /^[A-Za-z0-9+/]+=*$/u.test(auth)) return auth;
  }
  return undefined;
}
