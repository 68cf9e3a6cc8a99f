namespace Ferry.Engine.Generation;

/// <summary>Options that do not fit each other or the model.</summary>
/// <param name="errors">All of them, each with name, value, limit and way out.</param>
public sealed class EngineOptionsException(IReadOnlyList<string> errors) : Exception(string.Join(Environment.NewLine, errors))
{
    public IReadOnlyList<string> Errors { get; } = errors;
}
