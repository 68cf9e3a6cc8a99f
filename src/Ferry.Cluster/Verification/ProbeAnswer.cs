namespace Ferry.Cluster.Verification;

/// <summary>What one probe says of one target. Texts hold no secret.</summary>
/// <param name="Text">Pass: what was seen. Violation: what is wrong, with value and wanted value. Else: why it could not find out.</param>
/// <param name="Fix">What to do; empty when the text says it.</param>
internal sealed record ProbeAnswer(ProbeVerdict Verdict, string Text, string Fix = "")
{
    public static ProbeAnswer Pass(string text) => new(ProbeVerdict.Pass, text);

    public static ProbeAnswer Violation(string text, string fix = "") => new(ProbeVerdict.Violation, text, fix);

    public static ProbeAnswer Inconclusive(string reason, string fix = "") => new(ProbeVerdict.Inconclusive, reason, fix);

    public static ProbeAnswer Unsupported(string reason, string fix = "") => new(ProbeVerdict.Unsupported, reason, fix);

    /// <summary>Violations first: all of them as one; none: the pass.</summary>
    public static ProbeAnswer Of(IReadOnlyList<string> violations, string pass, string fix = "") =>
        violations.Count > 0 ? Violation(string.Join("; ", violations), fix) : Pass(pass);
}
