namespace Ferry.Cluster.Verification.Access;

/// <summary>This way to a node cannot do what a probe needs. The message says which way can.</summary>
internal sealed class AccessUnsupportedException(string message) : Exception(message);
