using Ferry.Cluster.Sources;

namespace Ferry.Cluster.Observed;

/// <summary>A published port.</summary>
/// <param name="HostAddress">Empty: all addresses of the host.</param>
/// <param name="HostPort">Null: any free one.</param>
internal sealed record PortMapping(string HostAddress, int? HostPort, int ContainerPort, SourceSpan Span);
