namespace Ferry.Cache.Remote.S3;

/// <summary>The store failed. The message names endpoint and bucket and says what to do; it holds no secret, and no inner exception that might.</summary>
public sealed class S3TierException(string message) : IOException(message);
