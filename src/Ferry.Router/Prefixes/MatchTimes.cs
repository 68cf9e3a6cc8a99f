namespace Ferry.Router.Prefixes;

/// <summary>How old a belief may be, in seconds.</summary>
/// <param name="Now">Since the router's start.</param>
/// <param name="HistoryLifetime">Of nodes without events.</param>
/// <param name="PredictionLifetime">Of nodes with events.</param>
internal readonly record struct MatchTimes(uint Now, uint HistoryLifetime, uint PredictionLifetime);
