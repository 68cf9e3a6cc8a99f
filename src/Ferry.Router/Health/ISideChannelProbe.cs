namespace Ferry.Router.Health;

/// <summary>Asks a NIXL side channel whether it answers.</summary>
internal interface ISideChannelProbe
{
    /// <returns>Null: it answers; else what is wrong.</returns>
    Task<string?> ProbeAsync(string endpoint, CancellationToken cancellationToken);
}
