namespace Ferry.Cluster.Rendering.Output;

/// <summary>The output directory cannot be written; the message says why and what to do. Nothing in it was changed unless the message says so.</summary>
public sealed class RenderOutputException(string message, Exception? inner = null) : Exception(message, inner);
