namespace Ferry.Cli.Commands.Transport;

/// <summary>One thing that a preflight looked at.</summary>
/// <param name="Result">ok, failed, or skipped: not looked at, which is not ok.</param>
/// <param name="Fix">What to do; empty unless failed.</param>
internal sealed record CheckStep(string Name, string Result, string Found, string Fix)
{
    public const string Ok = "ok";
    public const string Failed = "failed";
    public const string Skipped = "skipped";

    public static CheckStep Passed(string name, string found) => new(name, Ok, found, string.Empty);
}
