using Ferry.Engine.Chat;
using Ferry.Engine.Generation;
using Ferry.Engine.Tokenization;

namespace Ferry.Serving.Hosting;

/// <summary>An engine whose chat template or sampling defaults the user has replaced. Owns the engine.</summary>
internal sealed class ConfiguredEngine(ILlmEngine engine, ChatTemplate? template, bool useGenerationConfig) : ILlmEngine
{
    public EngineInfo Info { get; } = useGenerationConfig ? engine.Info : engine.Info with { DefaultSampling = new SamplingParams() };

    public Tokenizer Tokenizer => engine.Tokenizer;

    public ChatTemplate? ChatTemplate { get; } = template ?? engine.ChatTemplate;

    public bool IsRunning => engine.IsRunning;

    public GenerationHandle Submit(GenerationRequest request) => engine.Submit(request);

    public EngineStats Snapshot() => engine.Snapshot();

    public ValueTask DisposeAsync() => engine.DisposeAsync();
}
