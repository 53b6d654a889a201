FROM python:3.12-slim AS build
ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1
RUN apt-get update && apt-get install -y --no-install-recommends gcc libc6-dev # the core is compiled, see setup.py
RUN python -m venv /opt/bonus && python -m venv /opt/build
WORKDIR /src
# The dependencies first: they change seldom, and this layer is kept while the code changes.
COPY requirements.lock requirements-build.lock ./
RUN /opt/bonus/bin/pip install --require-hashes -r requirements.lock
RUN /opt/build/bin/pip install --require-hashes -r requirements-build.lock
COPY pyproject.toml setup.py README.md LICENSE ./
COPY schemas schemas
COPY stream stream
RUN BONUS_COMPILE=1 /opt/build/bin/pip wheel --no-deps --no-build-isolation -w /dist .
RUN /opt/bonus/bin/pip install --no-deps /dist/*.whl

FROM python:3.12-slim
RUN useradd --uid 10001 --no-create-home --shell /usr/sbin/nologin bonus
COPY --from=build /opt/bonus /opt/bonus
ENV PATH=/opt/bonus/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1
USER 10001
ENTRYPOINT ["bonus"]
CMD ["--help"]
