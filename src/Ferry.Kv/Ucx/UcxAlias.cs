namespace Ferry.Kv.Ucx;

/// <summary>A name of UCX_TLS that stands for several transports.</summary>
/// <param name="Since">First release that knows the alias.</param>
/// <param name="Members">Transports for data. One that a release does not have is passed over.</param>
/// <param name="Auxiliary">Transports that it lets in for making connections only.</param>
public sealed record UcxAlias(string Name, UcxVersion Since, IReadOnlyList<string> Members, IReadOnlyList<string> Auxiliary);
