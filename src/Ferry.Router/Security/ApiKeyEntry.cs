namespace Ferry.Router.Security;

/// <summary>One entry of the key file. A limit of 0 is none.</summary>
/// <param name="Sha256">Lower-case hex.</param>
internal sealed record ApiKeyEntry(string Name, string Sha256)
{
    public double Weight { get; init; } = 1;

    public int LeastPriority { get; init; } = int.MinValue;

    public int RequestsPerMinute { get; init; }

    public int TokensPerMinute { get; init; }

    public int MaxInFlight { get; init; }
}
