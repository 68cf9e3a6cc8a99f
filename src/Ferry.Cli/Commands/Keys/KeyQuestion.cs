namespace Ferry.Cli.Commands.Keys;

/// <summary>A prompt and a deployment, whose keys are asked for.</summary>
/// <param name="Tokens">The prompt from its start.</param>
/// <param name="Algorithm">As <c>--algorithm</c> gave it; null for each writer's default.</param>
/// <param name="ChunkTokens">LMCache's chunk_size.</param>
/// <param name="BlockTokens">vLLM's block size.</param>
/// <param name="HashSeed">PYTHONHASHSEED, or null where it is unset.</param>
/// <param name="Salt">cache_salt of the request; empty for none.</param>
/// <param name="LoraName">LoRA adapter of the request, or null.</param>
internal sealed record KeyQuestion(
    int[] Tokens, string? Algorithm, int ChunkTokens, int BlockTokens, string Model, byte WorldSize, byte Worker, string DType,
    string? HashSeed, string Salt, string? LoraName);
