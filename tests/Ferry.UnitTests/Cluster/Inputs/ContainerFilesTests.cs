using Ferry.Cluster.Observed;
using Xunit;

namespace Ferry.UnitTests.Cluster.Inputs;

public sealed class ContainerFilesTests
{
    private const string Manifests = """
        apiVersion: v1
        kind: ConfigMap
        metadata: {name: kv}
        data:
          PYTHONHASHSEED: "0"
          lmcache.yaml: |
            chunk_size: 512
            remote_url: redis://store:6379
        ---
        apiVersion: v1
        kind: Secret
        metadata: {name: s3}
        data:
          key: c2VjcmV0LXZhbHVl
        ---
        apiVersion: leaderworkerset.x-k8s.io/v1
        kind: LeaderWorkerSet
        metadata: {name: decode, namespace: serving}
        spec:
          leaderWorkerTemplate:
            leaderTemplate:
              metadata:
                labels: {role: decode}
              spec:
                hostNetwork: true
                volumes:
                  - {name: conf, configMap: {name: kv}}
                  - {name: shm, emptyDir: {medium: Memory, sizeLimit: 16Gi}}
                containers:
                  - name: vllm
                    image: vllm-gaudi:1
                    command: [sh, -c]
                    args:
                      - |
                        exec vllm serve meta-llama/Llama-3.1-8B-Instruct \
                          --port 8001
                    envFrom:
                      - configMapRef: {name: kv}
                    env:
                      - name: AWS_SECRET_ACCESS_KEY
                        valueFrom: {secretKeyRef: {name: s3, key: key}}
                      - {name: MISSING, valueFrom: {secretKeyRef: {name: none, key: k}}}
                      - {name: LMCACHE_CONFIG_FILE, value: /conf/lmcache.yaml}
                    volumeMounts:
                      - {name: conf, mountPath: /conf}
                      - {name: shm, mountPath: /dev/shm}
                    resources: {limits: {habana.ai/gaudi: "4"}}
                    readinessProbe: {httpGet: {path: /health, port: 8001}}
                    securityContext: {capabilities: {add: [IPC_LOCK]}}
        """;

    [Fact]
    public void Kubernetes_ReferencesBetweenDocuments_AreFollowed()
    {
        var process = Assert.Single(Reading.Of(("k.yaml", Manifests)).Processes);
        Assert.Equal((ProcessKind.VllmServe, "decode", ProcessRole.Decode, AcceleratorKind.Gaudi), (process.Kind, process.Name, process.Role, process.Accelerator.Kind));
        Assert.Equal(("meta-llama/Llama-3.1-8B-Instruct", 8001), (process.Model!.Value, process.Port));
        Assert.Equal("0", process.Environment.Value("PYTHONHASHSEED")!.Value);
        Assert.Equal("secret-value", process.Environment.Value("AWS_SECRET_ACCESS_KEY")!.Value);
        Assert.Null(process.Environment.Value("MISSING"));
        Assert.Equal("Secret none", Assert.Single(process.Kubernetes!.MissingReferences).Reference);
        var chunk = process.LmCache.Find("chunk_size")!;
        Assert.Equal(("512", 7), (chunk.Value.Value, chunk.Span.Line));
        Assert.Equal("16Gi", process.Container!.SharedMemory!.Value);
        Assert.True(process.Container.IsHostNetwork && process.Container.HasCapability("IPC_LOCK"));
        Assert.Equal("/health", Assert.Single(process.Kubernetes.Probes).Path!.Value);
    }

    [Fact]
    public void Compose_EnvFilesAndVariables_AreFilledIn()
    {
        var cluster = Reading.Of((".env", "TAG=v0.14.0\n"), ("node.env", "UCX_TLS=rc,sm,self\n"), ("compose.yaml", """
            x-common: &common
              ipc: host
              ulimits: {memlock: -1, nofile: {soft: 1024, hard: 2048}}
            services:
              decode:
                <<: *common
                image: vllm/vllm-openai:${TAG}
                env_file: node.env
                environment:
                  - PYTHONHASHSEED=0
                command: --model meta-llama/Llama-3.1-8B-Instruct --kv-transfer-config '{"kv_connector":"NixlConnector","kv_role":"kv_consumer"}'
                volumes: ["cache:/cache", {type: tmpfs, target: /tmp}]
                ports: ["8001:8000"]
            """));
        var process = Assert.Single(cluster.Processes, process => !process.IsFragment);
        Assert.Equal("vllm/vllm-openai:v0.14.0", process.Container!.Image!.Value);
        Assert.Equal(("rc,sm,self", "node.env"), (process.Environment.Value("UCX_TLS")!.Value, process.Environment.Value("UCX_TLS")!.File.Path));
        Assert.Equal((ProcessRole.Decode, "-1", "1024"), (process.Role, process.Container.Ulimit("memlock"), process.Container.Ulimit("nofile")));
        Assert.Equal([true, false], process.Container.Volumes.Select(volume => volume.IsLasting));
        Assert.Equal("NixlConnector", process.KvTransfer!.Connector!.Value);
    }

    [Fact]
    public void Markdown_WithTheSameNodeTwice_IsTwoClusters()
    {
        var cluster = Reading.Of(("guide.md", """
            # Guide
            ## One
            ```bash
            docker run --name prefill img vllm serve m
            docker run --name decode img vllm serve m
            ```
            ## Two
            ~~~sh
            docker run --name prefill img vllm serve m
            docker run --name decode img vllm serve m
            ~~~
            """));
        Assert.Equal([0, 0, 1, 1], cluster.Processes.Select(process => process.Group));
        Assert.Equal([4, 5, 9, 10], cluster.Processes.Select(process => process.Span.Line));
        Assert.Equal(2, cluster.Pairs.Count);
    }

    [Fact]
    public void FerryYaml_OfTwoPools_IsTheProcessesThatItWouldRender()
    {
        var cluster = Reading.Of(("ferry.yaml", """
            name: c
            model: {id: meta-llama/Llama-3.1-8B-Instruct, dtype: bfloat16, maxLength: 8192}
            pools:
              - name: prefill
                role: prefill
                accelerator: mi300x
                engine: {kind: vllm, version: 0.24.0, env: {UCX_LOG_LEVEL: info}, flags: ["--seed 7"]}
                tensorParallel: 4
                nodes: [{name: prefill-0, address: 10.0.0.11}]
              - name: decode
                role: decode
                accelerator: gaudi3
                engine: {kind: vllm, version: 0.24.0}
                tensorParallel: 2
                nodes: [{name: decode-0, address: 10.0.0.21}]
            """));
        var (prefill, decode) = (cluster.Pairs[0].Prefill, cluster.Pairs[0].Decode);
        Assert.Equal((AcceleratorKind.Rocm, 4, "10.0.0.11"), (prefill.Accelerator.Kind, prefill.TensorParallel, prefill.Host));
        Assert.Equal((AcceleratorKind.Gaudi, 2, "meta-llama/Llama-3.1-8B-Instruct"), (decode.Accelerator.Kind, decode.TensorParallel, decode.Model!.Value));
        Assert.Equal((8, 14), (prefill.Arguments.Flag("--tensor-parallel-size")!.Span.Line, decode.Arguments.Flag("--tensor-parallel-size")!.Span.Line));
        Assert.Equal((7, 7, 2), (prefill.Environment.Find("UCX_LOG_LEVEL")!.Span.Line, prefill.Arguments.Flag("--seed")!.Span.Line, decode.Model.Span.Line));
        Assert.Equal(ProcessKind.FerryRoute, Assert.Single(cluster.Processes, process => process.Kind is ProcessKind.FerryRoute).Kind);
    }

    [Fact]
    public void FerryYaml_GivenTwice_IsTwoClusters()
    {
        const string Text = "name: c\nmodel: {id: m, maxLength: 8192}\npools: [{name: p, role: prefill, accelerator: cpu, engine: {kind: ferry}, nodes: [{name: a, address: 10.0.0.1}]}, {name: d, role: decode, accelerator: cpu, engine: {kind: ferry}, nodes: [{name: b, address: 10.0.0.2}]}]\n";
        Assert.Equal(2, Reading.Of(("a.yaml", Text), ("b.yaml", Text)).Pairs.Count);
    }

    [Theory]
    [InlineData("a.txt", "LMCACHE_CHUNK_SIZE=256\n", 1)]
    [InlineData("-", "services: {a: {image: redis}}\n", 1)]
    [InlineData("-", "docker run --name a redis:7\n", 1)]
    [InlineData("x", "chunk_size: 256\nlocal_cpu: true\n", 1)]
    [InlineData("x.yaml", "", 0)]
    public void Kind_OfAFile_FollowsFromItsContent(string path, string text, int count) => Assert.Equal(count, Reading.Of((path, text)).Processes.Count);
}
