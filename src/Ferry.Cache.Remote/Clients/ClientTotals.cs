namespace Ferry.Cache.Remote.Clients;

/// <summary>What all clients together asked for and got.</summary>
/// <param name="Hits">Values delivered, converted ones among them.</param>
/// <param name="Puts">Values taken or there before.</param>
public readonly record struct ClientTotals(double Gets, double Hits, double Puts, double TokensRequested, double TokensHit);
