namespace Ferry.Kv.Hashing;

/// <summary>An image, a sound or the like, and where its placeholder tokens lie in a prompt.</summary>
/// <param name="Identifier">vLLM's name for the content, usually a hash of it.</param>
/// <param name="Offset">First placeholder token, from the start of the prompt.</param>
/// <param name="Length">Placeholder tokens.</param>
public readonly record struct MultimodalItem(string Identifier, int Offset, int Length);
