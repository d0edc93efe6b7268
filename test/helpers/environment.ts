const STRANGE = /^(STREAMBRO_|_?TAP|NODE_OPTIONS$|NODE_V8_COVERAGE$|XDG_|NOTIFY_SOCKET$)/;
const KEPT = new Set(["STREAMBRO_TEST_RUN"]);

/**
 * This process's environment without what a test runner or a daemon of the same machine left in it:
 * tap's loader would double a program's start and change how it takes signals.
 */
export const plainEnvironment = (): NodeJS.ProcessEnv =>
  Object.fromEntries(
    Object.entries(process.env).filter(([name]) => KEPT.has(name) || !STRANGE.test(name)),
  );
