namespace Ferry.Transfer.Nixl.Handshake;

/// <summary>Asks for the metadata of one worker.</summary>
/// <param name="PipelineRank">Null in the form of vLLM 0.11 to 0.24, which has none.</param>
public readonly record struct MetadataQuestion(int? PipelineRank, int TensorRank);
