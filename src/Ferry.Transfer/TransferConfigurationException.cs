namespace Ferry.Transfer;

/// <summary>An agent cannot start as configured. The message says which setting, its value, and the way out.</summary>
public sealed class TransferConfigurationException(string message, Exception? inner = null) : Exception(message, inner);
