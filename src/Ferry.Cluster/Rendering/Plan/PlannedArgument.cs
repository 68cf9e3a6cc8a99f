namespace Ferry.Cluster.Rendering.Plan;

/// <summary>Words of a command line that belong together: a flag and its value.</summary>
/// <param name="Comment">Why it is there; one line, null where the flag says it.</param>
public sealed record PlannedArgument(IReadOnlyList<string> Words, string? Comment = null)
{
    public static PlannedArgument Of(params string[] words) => new(words);

    public static PlannedArgument Because(string comment, params string[] words) => new(words, comment);
}
