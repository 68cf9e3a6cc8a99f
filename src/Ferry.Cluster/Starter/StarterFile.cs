using System.Globalization;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using Ferry.Cluster.Reading;
using Ferry.Cluster.Spec;

namespace Ferry.Cluster.Starter;

/// <summary>A first ferry.yaml with comments that say what each choice costs.</summary>
public static class StarterFile
{
    /// <summary>JSON's strings are YAML's quoted ones; what needs no escape there stays readable.</summary>
    private static readonly JsonSerializerOptions Quoting = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>One that images of both vendors exist for.</summary>
    private const string VllmVersion = "0.24.0";

    public static string Write(StarterAnswers answers)
    {
        ArgumentNullException.ThrowIfNull(answers);
        var text = new StringBuilder();
        Head(text, answers);
        Pool(text, answers, isPrefill: true);
        Pool(text, answers, isPrefill: false);
        Handover(text, answers);
        Cache(text, answers);
        Storage(text, answers);
        Rest(text, answers);
        return text.ToString().ReplaceLineEndings("\n");
    }

    private static void Head(StringBuilder text, StarterAnswers answers) => text.Append(CultureInfo.InvariantCulture, $"""
        # yaml-language-server: $schema=ferry.schema.json
        # A cluster for disaggregated serving: {(answers.Storage == StorageKind.None ? "hand-over only" : "hand-over and a tier that all nodes share")}.
        #   ferry lint ferry.yaml                       what is wrong with it, before anything starts
        #   ferry plan -f ferry.yaml                    what fits, how long KV travels, what it costs
        #   ferry render docker -f ferry.yaml -o DIR    scripts for every node (or compose, kubernetes)
        #   ferry verify -f ferry.yaml                  whether the running cluster is what this file says
        # What stands in <angle brackets> is for you to fill in. Every key: docs/ferry-yaml.md.

        name: {Word(answers.Name)}

        model:
          # This very string goes to every engine: it is part of handshakes and of cache keys. A base model has no chat template; take -Instruct for chat.
          id: {Word(answers.Model)}
          dtype: bfloat16        # what both vendors compute in
          maxLength: 8192        # prompt and output together
          # token: {"{env: HF_TOKEN}"}  # gated models need one; secrets are only ever named, never written here

        pools:

        """);

    private static void Pool(StringBuilder text, StarterAnswers answers, bool isPrefill)
    {
        var (name, accelerator, ranks) = isPrefill ? ("prefill", answers.PrefillAccelerator, answers.PrefillTensorParallel) : ("decode", answers.DecodeAccelerator, answers.DecodeTensorParallel);
        var profile = AcceleratorProfiles.ByName.GetValueOrDefault(accelerator);
        var (sequences, utilization) = profile?.MemoryRule == MemoryRule.AfterWeights ? (256, "0.85") : profile?.Vendor == AcceleratorVendor.Cpu ? (16, "0.5") : (512, "0.90");
        text.Append(CultureInfo.InvariantCulture, $"""
              - name: {name}
                role: {name}{(isPrefill ? "            # computes prompts, lends their KV" : "             # fetches KV, generates")}
                accelerator: {Word(accelerator)}
                engine:
                  kind: {SpecChoices.NameOf(answers.Engine)}

            """);
        if (answers.Engine == EngineKind.Vllm)
        {
            text.Append(CultureInfo.InvariantCulture, $"      version: {VllmVersion}        # the same on both sides{(isPrefill ? ": handshakes compare it" : "")}\n");
        }
        if (profile?.Vendor == AcceleratorVendor.IntelGaudi)
        {
            text.Append("      env:\n        PT_HPU_LAZY_MODE: \"0\"\n");
        }
        text.Append(CultureInfo.InvariantCulture, $"""
                tensorParallel: {ranks}
                memoryUtilization: {utilization}{(profile?.MemoryRule == MemoryRule.AfterWeights ? "  # on Gaudi: of what the weights leave free" : "")}
                limits: {"{"}sequences: {sequences}{"}"}
                port: {(isPrefill ? 8000 : 8001)}
                nodes:

            """);
        var addresses = isPrefill ? answers.PrefillAddresses : answers.DecodeAddresses;
        for (var index = 0; index < addresses.Count; index++)
        {
            text.Append(CultureInfo.InvariantCulture, $"      - {{name: {name}-{index}, address: {Word(addresses[index])}}}\n");
        }
        if (profile?.Vendor != AcceleratorVendor.Cpu)
        {
            // Conversations live on the decode side, whose exchange has the disk; prefill's hands over.
            var cache = isPrefill
                ? (Sizes: $"memory: {20 * ranks}GiB", Why: "of the node: its exchange, and LMCache's pools of its ranks")
                : (Sizes: $"memory: {60 * ranks}GiB{(answers.Handover == HandoverKind.Ferry ? $", disk: {500 * ranks}GiB" : "")}", Why: "of the node's exchange: what is found again");
            text.Append(CultureInfo.InvariantCulture, $"    cache: {{{cache.Sizes}}}  # {cache.Why}\n");
        }
    }

    private static void Handover(StringBuilder text, StarterAnswers answers) => text.Append(CultureInfo.InvariantCulture, $"""

        handover:
          # ferry: through the exchange; converts block size, layout and ranks between vendors.
          # nixl, lmcache-pd: vLLM's and LMCache's own; between equal vendors only.
          kind: {SpecChoices.NameOf(answers.Handover)}
          {Mode(answers)}{DeviceBuffer(answers)}leaseSeconds: 120      # how long prefill nodes hold KV that nobody fetches; a busy decode node comes late

        """);

    /// <summary>Only Ferry's own engine pushes.</summary>
    private static string Mode(StarterAnswers answers) => answers.Engine == EngineKind.Ferry
        ? "mode: pull            # or push, push-layerwise: KV goes while the prompt is still computed; auto measures\n  " : "";

    /// <summary>Between equal accelerators over RDMA NIXL needs no second copy of the KV cache in host memory.</summary>
    private static string DeviceBuffer(StarterAnswers answers) =>
        answers.Handover == HandoverKind.Nixl && answers.Transport != TransportKind.Tcp && answers.PrefillAccelerator == answers.DecodeAccelerator
            ? "bufferDevice: device   # cpu: a copy of the whole KV cache in host memory, on every rank\n  " : "";

    private static void Cache(StringBuilder text, StarterAnswers answers)
    {
        var isCpu = answers.PrefillAccelerator == "cpu" && answers.DecodeAccelerator == "cpu";
        text.Append(CultureInfo.InvariantCulture, $"""

            cache:
              chunkTokens: 256       # a multiple of every engine's block: 16 on MI300X, 128 on Gaudi3
              policy: lru            # or lfu, fifo, mru, s3fifo: ferry plan --trace shows what each would hit
              memory: {(isCpu ? "1GiB " : "80GiB")}          # of each node, unless its pool says otherwise
              {(isCpu ? "disk: 4GiB\n  " : "")}saveDecode: false      # true: answers are kept, too, for the next turn of a conversation
              hashSeed: "0"          # PYTHONHASHSEED of every engine: without one equal seed nothing is ever found

            """);
    }

    private static void Storage(StringBuilder text, StarterAnswers answers)
    {
        text.Append("\nstorage:\n");
        switch (answers.Storage)
        {
            case StorageKind.S3:
                text.Append(CultureInfo.InvariantCulture, $"""
                      s3:
                        endpoint: {Word(answers.S3Endpoint)}
                        bucket: {Word(answers.S3Bucket)}
                        pathStyle: true      # Ceph's default; false: the bucket is part of the host name
                        region: default      # Ceph takes any
                        accessKey: {"{env: AWS_ACCESS_KEY_ID}"}
                        secretKey: {"{env: AWS_SECRET_ACCESS_KEY}"}

                    """);
                break;
            case StorageKind.Redis:
                text.Append(CultureInfo.InvariantCulture, $"  redis:\n    address: {Word(answers.RedisAddress)}\n    # password: {{env: REDIS_PASSWORD}}\n");
                break;
            case StorageKind.Directory:
                text.Append(CultureInfo.InvariantCulture, $"  directory:\n    path: {Word(answers.Directory)}    # a mount that every node has: CephFS, NFS\n");
                break;
            default:
                text.Append("""
                      # None: each node keeps what it computed, and a hand-over goes from node to node. With a shared tier any node finds what another computed:
                      # s3: {endpoint: "https://s3.ceph.example", bucket: kv-cache, accessKey: {env: AWS_ACCESS_KEY_ID}, secretKey: {env: AWS_SECRET_ACCESS_KEY}}

                    """);
                break;
        }
    }

    private static void Rest(StringBuilder text, StarterAnswers answers) => text.Append(CultureInfo.InvariantCulture, $"""

        transport:
          kind: {SpecChoices.NameOf(answers.Transport)}              # rdma and roce pass the RDMA devices into the containers
          rate: {(answers.Transport == TransportKind.Tcp ? "2GB/s " : "50GB/s")}           # of one node, in one direction; for ferry plan
          # devices: [{(answers.Transport == TransportKind.Tcp ? "eth0" : "\"mlx5_0:1\"")}]

        router:
          port: 9000
          policy: prefix-aware   # where most of the prompt is cached, against load
          minPromptTokens: 512   # shorter prompts are not worth a hand-over

        plan:
          promptTokens: 8192     # of a typical request
          outputTokens: 256
          # prices: {"{prefill: 12.00, decode: 8.00}"}   # a node's hour, in any one currency

        """);

    /// <summary>A word as it is; whatever YAML might read as something else in quotes.</summary>
    private static string Word(string text) =>
        text.Length > 0 && char.IsAsciiLetterOrDigit(text[0]) && text.All(character => char.IsAsciiLetterOrDigit(character) || character is '.' or '-' or '_' or '/')
            ? text : JsonSerializer.Serialize(text, Quoting);
}
