namespace Ferry.Cache.Remote.Models;

/// <summary>Model cards that cannot be used.</summary>
/// <param name="errors">Every error at once, each as <c>file:line:column: what</c>.</param>
public sealed class ModelCardException(IReadOnlyList<string> errors) : Exception(string.Join(Environment.NewLine, errors))
{
    public IReadOnlyList<string> Errors { get; } = errors;
}
