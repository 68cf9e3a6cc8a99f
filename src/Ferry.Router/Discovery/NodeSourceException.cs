namespace Ferry.Router.Discovery;

/// <summary>A source of discovery that cannot say now which nodes there are.</summary>
internal sealed class NodeSourceException(string message) : Exception(message);
