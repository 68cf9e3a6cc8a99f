namespace Ferry.Transfer.Nixl;

/// <summary>How one backend of an agent is reached.</summary>
/// <param name="Backend">Such as <c>UCX</c>.</param>
/// <param name="Info">Of the backend's own form; the raw UCX worker address for UCX.</param>
public sealed record NixlConnection(string Backend, ReadOnlyMemory<byte> Info);
