namespace Ferry.Engine.Generation;

/// <summary>The waiting queue is full. The same request may be taken a moment later.</summary>
public sealed class EngineOverloadedException(string message) : Exception(message);
