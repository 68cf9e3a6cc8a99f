namespace Ferry.Engine.Tokenization;

/// <summary>Tokenizer files that cannot be used: damaged, hostile, or of a kind that Ferry does not know. The message names file, key and way out.</summary>
public sealed class TokenizerException(string message, Exception? inner = null) : Exception(message, inner);
