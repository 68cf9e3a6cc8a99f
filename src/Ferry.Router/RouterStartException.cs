namespace Ferry.Router;

/// <summary>A router that cannot start as configured: all reasons.</summary>
public sealed class RouterStartException(IReadOnlyList<string> errors) : Exception(string.Join(" ", errors))
{
    public IReadOnlyList<string> Errors { get; } = errors;
}
