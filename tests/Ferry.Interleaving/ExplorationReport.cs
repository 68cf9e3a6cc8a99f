namespace Ferry.Interleaving;

/// <param name="Schedules">Orders tried.</param>
/// <param name="IsComplete">Whether these are all within the bound of pre-emptions.</param>
/// <param name="Failure">What broke, with the choices that lead there; null when nothing did.</param>
public sealed record ExplorationReport(int Schedules, bool IsComplete, string? Failure);
