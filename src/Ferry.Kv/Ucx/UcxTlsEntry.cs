namespace Ferry.Kv.Ucx;

/// <summary>One name of a UCX_TLS list.</summary>
/// <param name="Written">As it stands in the list, with <c>\</c> and <c>:aux</c>.</param>
/// <param name="Name">Without those.</param>
/// <param name="Members">Transports that it names for data; empty for an unknown name and for <c>:aux</c>.</param>
/// <param name="Auxiliary">Transports that it names for making connections only.</param>
public sealed record UcxTlsEntry(string Written, string Name, IReadOnlyList<string> Members, IReadOnlyList<string> Auxiliary);
