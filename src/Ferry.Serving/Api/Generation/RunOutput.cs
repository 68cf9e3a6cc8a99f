using Ferry.Engine.Generation;

namespace Ferry.Serving.Api.Generation;

/// <param name="ChoiceIndex">Choice in the answer: prompt × n + choice of the prompt.</param>
internal readonly record struct RunOutput(int PromptIndex, int ChoiceIndex, GenerationOutput Output);
