namespace Ferry.Cluster.Rendering;

/// <summary>The description cannot be rendered as asked. All reasons at once, each with what to change.</summary>
public sealed class RenderException(IReadOnlyList<string> errors) : Exception(string.Join(Environment.NewLine, errors))
{
    public IReadOnlyList<string> Errors { get; } = errors;
}
