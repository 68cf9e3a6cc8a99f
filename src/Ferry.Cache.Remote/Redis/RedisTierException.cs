namespace Ferry.Cache.Remote.Redis;

/// <summary>The server failed. The message names it and says what to do; it holds no secret, and no inner exception that might.</summary>
public sealed class RedisTierException(string message) : IOException(message);
