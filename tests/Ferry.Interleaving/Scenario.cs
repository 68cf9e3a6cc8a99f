namespace Ferry.Interleaving;

/// <summary>Threads that meet, and what must hold once they are through.</summary>
/// <param name="Check">Throws when it does not.</param>
public sealed record Scenario(IReadOnlyList<Action> Threads, Action Check);
