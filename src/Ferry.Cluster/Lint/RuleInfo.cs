namespace Ferry.Cluster.Lint;

/// <summary>What a rule says about itself; its page in docs/lint is made of this.</summary>
public sealed record RuleInfo
{
    /// <summary><c>FERRY-</c>, two to four letters of the group, three digits; never used again once published.</summary>
    public required string Id { get; init; }

    public required LintSeverity Severity { get; init; }

    /// <summary>One line, no full stop, what is wrong: "A comment ends the command inside a continuation".</summary>
    public required string Title { get; init; }

    /// <summary>Why it matters; sentences.</summary>
    public required string Why { get; init; }

    /// <summary>How it shows at run time: a log line in backticks, or what one sees.</summary>
    public required string Symptom { get; init; }

    /// <summary>How to mend it; sentences. A finding may carry the exact text besides.</summary>
    public required string Fix { get; init; }

    /// <summary>Which versions of what: "vLLM, all versions with NixlConnector".</summary>
    public required string Versions { get; init; }

    /// <summary>Where the facts come from: source files, issues, documents.</summary>
    public required IReadOnlyList<string> Sources { get; init; }

    /// <summary>Free of findings of this rule.</summary>
    public required RuleExample GoodExample { get; init; }

    /// <summary>Has at least one finding of this rule.</summary>
    public required RuleExample BadExample { get; init; }

    /// <summary>The letters between the dashes and the digits: <c>UCX</c>.</summary>
    public string Group => Id.Split('-')[1].TrimEnd('0', '1', '2', '3', '4', '5', '6', '7', '8', '9');
}
